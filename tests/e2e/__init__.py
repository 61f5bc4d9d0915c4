"""The whole hub as a process, with a real broker and simulated devices."""
