using Sandbox.Memory;

namespace Sandbox.Testing;

/// <summary>One buffer of a request as a driver gives it.</summary>
public readonly record struct DriverBuffer(GuestAddress Address, uint LengthBytes, bool DeviceWrites);
