"""All MQTT: the client with its bounds, the embedded broker. Topics and bytes, no meaning."""

from orchestrator.mqtt.address import Address, AddressError, Tls, Will
from orchestrator.mqtt.client import Backoff, MqttLink
from orchestrator.mqtt.trouble import Trouble

__all__ = ["Address", "AddressError", "Backoff", "MqttLink", "Tls", "Trouble", "Will"]
