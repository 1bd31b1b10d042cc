"""How fast this machine scores and trains, and with how much memory.

bench.py         what is measured, and what is said of it
contenders.py    one thing that is measured: a limit, a source of frames, a runtime, a training
process.py       each contender in a process of its own, so that its memory is its own
steps.py         the training step, timed
drawn.py         a video for who has none
untrained.py     a network for who has none
plot.py          a picture of it
"""
