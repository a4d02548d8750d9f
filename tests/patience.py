"""How long tests wait for a program before they call it hung."""

HUNG_AFTER_S = 300
"""Nothing here takes a tenth of it, but several tests run at once on two processors that others
use, too; whoever reaches it waits for something that will not come."""
