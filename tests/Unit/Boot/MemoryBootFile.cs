using Sandbox.Boot;
using Sandbox.Memory;

namespace Sandbox.Unit.Tests.Boot;

/// <summary>A boot file in an array.</summary>
internal sealed class MemoryBootFile(byte[] content) : IBootFile
{
    public ulong LengthBytes => (ulong)content.Length;

    public bool TryRead(ulong offset, Span<byte> destination)
    {
        if (offset > LengthBytes || (ulong)destination.Length > LengthBytes - offset)
        {
            return false;
        }

        content.AsSpan((int)offset, destination.Length).CopyTo(destination);
        return true;
    }

    public bool TryCopyTo(ulong offset, GuestSlice destination)
    {
        if (offset > LengthBytes || destination.LengthBytes > LengthBytes - offset)
        {
            return false;
        }

        destination.CopyFrom(0, content.AsSpan((int)offset, (int)destination.LengthBytes));
        return true;
    }
}
