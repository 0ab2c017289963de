using Sandbox.Boot;
using Sandbox.Linux;
using Sandbox.Memory;

namespace Sandbox.Vmm.Start;

/// <summary>A kernel or initial RAM disk behind an inherited fd.</summary>
/// <param name="fd">Borrowed.</param>
/// <param name="lengthBytes">As the launcher told; a file that is shorter fails the reads.</param>
internal sealed class BootFile(int fd, ulong lengthBytes) : IBootFile
{
    private readonly GuestVector _vector = new(capacity: 1);

    public ulong LengthBytes => lengthBytes;

    public bool TryRead(ulong offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = FdIo.ReadAt(fd, destination, (long)offset);
            if (count <= 0)
            {
                return false;
            }

            offset += (ulong)count;
            destination = destination[count..];
        }

        return true;
    }

    public bool TryCopyTo(ulong offset, GuestSlice destination)
    {
        _vector.Clear();
        _ = _vector.TryAdd(destination);
        while (!_vector.IsEmpty)
        {
            long count = _vector.ReadFrom(fd, (long)offset);
            if (count <= 0)
            {
                return false;
            }

            offset += (ulong)count;
        }

        return true;
    }
}
