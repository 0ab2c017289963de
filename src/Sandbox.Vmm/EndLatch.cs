using Sandbox.Control.Launch;
using Sandbox.Linux;

namespace Sandbox.Vmm;

/// <summary>Why this process ends: the first reason given stays. Any thread may give one; the main thread watches <see cref="Fd"/>.</summary>
internal sealed class EndLatch : IDisposable
{
    private readonly FdHandle _event = EventFd.Create();
    private readonly Lock _lock = new();
    private Ended _ended;
    private volatile bool _isSet;

    /// <summary>Readable once there is a reason. Borrowed.</summary>
    public int Fd => _event.Number;

    public bool IsSet => _isSet;

    /// <summary>The reason; meaningful once <see cref="IsSet"/>.</summary>
    public Ended Ended
    {
        get
        {
            lock (_lock)
            {
                return _ended;
            }
        }
    }

    public void Set(EndReason reason, ulong detail = 0, string text = "")
    {
        lock (_lock)
        {
            if (!_isSet)
            {
                _ended = new Ended(reason, detail, text);
                _isSet = true;
                _ = EventFd.Signal(_event.Number);
            }
        }
    }

    public void Dispose() => _event.Dispose();
}
