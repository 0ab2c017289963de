namespace Sandbox.Fuzz.Engine;

/// <summary>Product code holds more than it may: bytes allocated, fds. The runtime does such things of its own once, so it is believed when it happens again.</summary>
internal sealed class SuspicionException(string message) : Exception(message);
