"""What happens without the kernel's knowledge: CPU, MMU, TLB, memory."""
