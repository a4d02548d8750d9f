"""`make study`: are IPVS's schedulers of use? Each beside chance, which is what replaces IPVS."""
