using System.Diagnostics;

namespace Sandbox.Fuzz.Engine;

/// <summary>A second thread that ends the process when one input runs too long: nothing else can stop a loop without an end.</summary>
internal sealed class Watchdog : IDisposable
{
    /// <summary>Far above what any input takes, on a crowded machine too.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly Action<byte[]> _hung;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private byte[] _input = [];
    private int _length;
    private long _since;

    public Watchdog(Action<byte[]> hung)
    {
        _hung = hung;
        _thread = new Thread(Watch) { IsBackground = true, Name = "watchdog" };
        _thread.Start();
    }

    /// <summary>An input begins.</summary>
    public void Begin(ReadOnlySpan<byte> input)
    {
        lock (_gate)
        {
            if (_input.Length < input.Length)
            {
                _input = new byte[input.Length];
            }

            input.CopyTo(_input);
            _length = input.Length;
            _since = Stopwatch.GetTimestamp();
        }
    }

    public void End()
    {
        lock (_gate)
        {
            _since = 0;
        }
    }

    public void Dispose()
    {
        _stop.Set();
        _thread.Join();
        _stop.Dispose();
    }

    private void Watch()
    {
        while (!_stop.Wait(500))
        {
            lock (_gate)
            {
                if (_since != 0 && Stopwatch.GetElapsedTime(_since) > Limit)
                {
                    _hung(_input.AsSpan(0, _length).ToArray());
                }
            }
        }
    }
}
