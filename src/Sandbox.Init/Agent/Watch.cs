using Sandbox.Linux;

namespace Sandbox.Init.Agent;

/// <summary>
/// One fd's place in the epoll set. An fd of which nothing is wanted is taken out altogether: epoll reports a hang-up even
/// of an fd that is watched for nothing, and the loop would spin.
/// </summary>
internal sealed class Watch(Epoll epoll, FdHandle fd, ulong tag)
{
    private EpollEvents _wanted;

    public FdHandle Fd { get; } = fd;

    public void Want(EpollEvents events)
    {
        if (events == _wanted)
        {
            return;
        }

        if (_wanted == EpollEvents.None)
        {
            epoll.Add(Fd.Number, events, tag);
        }
        else
        {
            int result = events == EpollEvents.None ? epoll.Remove(Fd.Number) : epoll.Modify(Fd.Number, events, tag);
            LinuxException.Check(result, "epoll_ctl");
        }

        _wanted = events;
    }

    public void Close()
    {
        if (!Fd.IsClosed)
        {
            Want(EpollEvents.None);
            Fd.Dispose();
        }
    }
}
