"""A board: makes a pseudo-terminal, links ``argv[1]`` to it, and does what its standard input says, line by line.

``write <hex>`` sends bytes, ``pause <seconds>`` waits, ``flood <count>`` sends so many lines of noise. At the end of
the input, or when killed, the terminal goes away as a plug that is pulled.
"""

import os
import pathlib
import sys
import time
import tty

master, slave = os.openpty()
tty.setraw(slave)
link = pathlib.Path(sys.argv[1])
link.unlink(missing_ok=True)
link.symlink_to(os.ttyname(slave))
sys.stdout.write("ready\n")
sys.stdout.flush()
for order in sys.stdin:
    verb, _, rest = order.strip().partition(" ")
    if verb == "write":
        os.write(master, bytes.fromhex(rest))
    elif verb == "pause":
        time.sleep(float(rest))
    elif verb == "flood":
        for number in range(int(rest)):
            os.write(master, bytes([0xFF, number % 251 | 0x80]) * 20 + b"\n")
