"""Listening for hours: which word was said and when, and quiet otherwise, in integers.

Frames of samples become levels, levels become stretches of sound between quiet ones (`endpoint`),
each stretch goes to a recogniser, and its logits become a word or a reason why there is none
(`confidence`, `detector`). `specification` turns milliseconds and decibels into integers. The C
twin is ``firmware/sd_detector.h``, equal in every decision and sample number.
"""
