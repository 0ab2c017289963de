using Sandbox.Linux;

namespace Sandbox.Cli.Run;

/// <summary>Reads and writes of fds that we did not open: another process that shares them may have made them non-blocking.</summary>
internal static class FdTransfer
{
    /// <summary>As <see cref="FdIo.Read"/>, but waits on a non-blocking fd.</summary>
    public static int Read(int fd, Span<byte> buffer)
    {
        int count;
        while ((count = FdIo.Read(fd, buffer)) == -(int)Errno.EAGAIN)
        {
            _ = Poll.Wait(fd, PollEvents.Readable, Poll.Forever, out _);
        }

        return count;
    }

    /// <summary>Writes everything. 0, or the negated error number.</summary>
    public static int WriteAll(int fd, ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            int count = FdIo.Write(fd, buffer);
            if (count == -(int)Errno.EAGAIN)
            {
                _ = Poll.Wait(fd, PollEvents.Writable, Poll.Forever, out _);
                continue;
            }

            if (count <= 0)
            {
                return count == 0 ? -(int)Errno.EIO : count;
            }

            buffer = buffer[count..];
        }

        return 0;
    }
}
