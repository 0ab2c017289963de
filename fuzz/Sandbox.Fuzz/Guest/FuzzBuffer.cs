namespace Sandbox.Fuzz.Guest;

/// <summary>One buffer of a request as the driver gives it.</summary>
internal readonly record struct FuzzBuffer(ulong Address, uint LengthBytes, bool DeviceWrites);
