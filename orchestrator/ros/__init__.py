"""ROS 2: what the building says and hears there, bags, and Nav2 robots. Only `node.py` and what it
imports for itself know `rclpy`; everything else works without ROS 2."""
