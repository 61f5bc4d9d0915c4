"""Fire lanes: does something stand there that was not there before, since when, and is it still the same thing?

``LaneWatch(polygon).see(frame)`` gives events; numpy only, no model, no clock: all times are those of the stream.
"""
