namespace Sandbox.Memory;

/// <content>Tells the watcher.</content>
public sealed unsafe partial class GuestVector
{
    partial void TouchedByKernel(bool writes)
    {
        for (int index = _first; index < _end; index++)
        {
            // SAFETY: the pointer becomes a number; nothing is read through it.
            GuestWatch.Watcher?.Touched((ulong)_segments[index].iov_base, (ulong)_segments[index].iov_len, writes);
        }
    }
}
