namespace Sandbox.Memory;

/// <summary>A guest-physical address, in bytes. Any value may come from a guest: it means nothing until <see cref="GuestMemory"/> has found it.</summary>
public readonly record struct GuestAddress(ulong Value) : IComparable<GuestAddress>
{
    /// <summary>The address <paramref name="bytes"/> further on; false where that would wrap.</summary>
    public bool TryAdd(ulong bytes, out GuestAddress sum)
    {
        ulong value = unchecked(Value + bytes);
        sum = new GuestAddress(value);
        return value >= Value;
    }

    public int CompareTo(GuestAddress other) => Value.CompareTo(other.Value);

    public static bool operator <(GuestAddress left, GuestAddress right) => left.Value < right.Value;

    public static bool operator >(GuestAddress left, GuestAddress right) => left.Value > right.Value;

    public static bool operator <=(GuestAddress left, GuestAddress right) => left.Value <= right.Value;

    public static bool operator >=(GuestAddress left, GuestAddress right) => left.Value >= right.Value;

    public override string ToString() => $"guest 0x{Value:x}";
}
