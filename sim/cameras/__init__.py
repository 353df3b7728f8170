"""What a camera would see: pictures made from the ground truth and a seed. See ADR 16."""
