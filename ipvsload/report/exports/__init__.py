"""`ipvsload export`: a recording for other tools, in their own formats."""
