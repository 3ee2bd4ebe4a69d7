"""The exercises, one file each: task, hints, naive definition, and what answers are tried on."""
