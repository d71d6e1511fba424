# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers and the real program for the system tests, each on free loopback ports with its files in a folder."""
