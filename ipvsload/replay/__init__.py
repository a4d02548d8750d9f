"""A recorded run through the model: did the kernel choose as its rule says, and why that server?"""
