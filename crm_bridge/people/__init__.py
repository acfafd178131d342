"""Who somebody is, whatever number or messenger they use."""
