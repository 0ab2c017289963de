using System.Runtime.InteropServices;

namespace Sandbox.Cli.Run;

/// <summary>
/// SIGINT, SIGQUIT and SIGTERM: the first goes to the command once it runs, and before that ends the start; the second ends the microVM at once.
/// SIGHUP too: the terminal is gone.
/// </summary>
internal sealed class ForwardedSignals : IDisposable
{
    private const int SigHup = 1;
    private const int SigInt = 2;
    private const int SigQuit = 3;
    private const int SigTerm = 15;

    private readonly CancellationTokenSource _endAtOnce = new();
    private readonly Lock _gate = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private SandboxProcess? _process;
    private bool _received;

    public ForwardedSignals()
    {
        foreach ((PosixSignal signal, int number) in ((PosixSignal, int)[])[(PosixSignal.SIGINT, SigInt), (PosixSignal.SIGQUIT, SigQuit), (PosixSignal.SIGTERM, SigTerm), (PosixSignal.SIGHUP, SigHup)])
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                Receive(number);
            }));
        }
    }

    /// <summary>Cancelled when the microVM shall be killed.</summary>
    public CancellationToken EndAtOnce => _endAtOnce.Token;

    /// <summary>The number of the last signal.</summary>
    public int Last { get; private set; }

    /// <summary>The command runs: from now on it gets the first signal.</summary>
    public void ForwardTo(SandboxProcess process)
    {
        lock (_gate)
        {
            _process = process;
        }
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        _endAtOnce.Dispose();
    }

    private void Receive(int number)
    {
        lock (_gate)
        {
            Last = number;
            if (_process is not null && !_received)
            {
                _received = true;
                _process.Signal(number);
                return;
            }
        }

        _endAtOnce.Cancel();
    }
}
