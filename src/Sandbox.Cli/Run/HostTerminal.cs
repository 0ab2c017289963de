using System.Runtime.InteropServices;
using Sandbox.Linux;

namespace Sandbox.Cli.Run;

/// <summary>The operator's terminal during `run -it`: raw while the command has it, and given back as it was however this process ends, but for SIGKILL.</summary>
internal sealed class HostTerminal : IDisposable
{
    private const PosixSignal SizeChanged = (PosixSignal)28; // SIGWINCH by its number: the named one is not on every platform

    private readonly byte[]? _mode;
    private readonly Lock _gate = new();
    private PosixSignalRegistration? _sizeChanged;
    private bool _raw;

    /// <param name="wanted">False: nothing is touched.</param>
    /// <exception cref="SandboxException">One is wanted, and standard input or output is something else.</exception>
    public HostTerminal(bool wanted)
    {
        if (!wanted)
        {
            return;
        }

        _mode = TerminalDevice.ModeOf(Pump.StandardInput) is { } mode && TerminalDevice.ModeOf(Pump.StandardOutput) is not null ? mode
            : throw new SandboxException(SandboxErrorKind.InvalidOption, "-t needs a terminal as standard input and output; leave -t out");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => TakeBack();
        AppDomain.CurrentDomain.UnhandledException += (_, _) => TakeBack();
    }

    public static TerminalSize Size => TerminalDevice.TryGetSize(Pump.StandardOutput, out ushort rows, out ushort columns) ? new TerminalSize(rows, columns) : default;

    /// <summary>From here on every key is the command's, Ctrl-C too, and so is every change of the size.</summary>
    public void GiveTo(SandboxProcess process)
    {
        if (_mode is null)
        {
            return;
        }

        _sizeChanged = PosixSignalRegistration.Create(SizeChanged, _ => process.Resize(Size));
        process.Resize(Size); // it may have changed while the guest started
        lock (_gate)
        {
            _raw = TerminalDevice.SetRaw(Pump.StandardInput, _mode) == 0;
        }
    }

    public void Dispose()
    {
        _sizeChanged?.Dispose();
        TakeBack();
    }

    /// <summary>The terminal has its mode again.</summary>
    public void TakeBack()
    {
        lock (_gate)
        {
            if (_raw)
            {
                _raw = false;
                _ = TerminalDevice.Restore(Pump.StandardInput, _mode!);
            }
        }
    }
}
