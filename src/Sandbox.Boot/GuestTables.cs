using Sandbox.Memory;

namespace Sandbox.Boot;

/// <summary>Writes to addresses of our own layout, which lie in the first megabyte: a guest without that much memory is refused long before.</summary>
internal static class GuestTables
{
    public static void Write(GuestMemory memory, GuestAddress address, ReadOnlySpan<byte> bytes)
    {
        if (!memory.TryWrite(address, bytes))
        {
            throw new InvalidOperationException("the boot tables do not lie in guest memory");
        }
    }
}
