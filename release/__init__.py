"""`make release`: sdist and wheel, built twice, looked through, installed and used.

Publishing is somebody's decision, and no part of it.
"""
