"""What a kernel must have for IPVS, and how minikube's image gets it."""
