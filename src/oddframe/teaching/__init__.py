"""Cameras learn what is normal before them, and go live, without anybody at a command line; reviews teach them more.

`teacher.Teacher` runs beside a site's engine, and has a `Pupil` for each camera that learns. What takes long is done in
a process of its own that gives way to the cameras (`working/`); torch is loaded there and nowhere else.
`lessons.Teaching` carries out what people say of events, within seconds.
"""
