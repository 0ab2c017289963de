namespace Sandbox.VhostUser;

/// <summary>
/// An address in the frontend's own address space, as vhost-user carries it in memory tables and ring addresses. It is a label,
/// never a pointer of this process: <see cref="MemoryTable.TryTranslate"/> turns it into a guest-physical address.
/// </summary>
public readonly record struct UserAddress(ulong Value)
{
    public override string ToString() => $"user 0x{Value:x}";
}
