using Sandbox.Agent;

namespace Sandbox;

/// <summary>
/// A command running in a microVM. Its three streams are separate and byte-exact. At most 256 KiB of each wait on the way: a reader that
/// does not read stops the command, and nothing else. All members may be used from any thread; one reader or writer at a time for each stream.
/// </summary>
public sealed class SandboxProcess : IAsyncDisposable
{
    /// <summary>The highest signal number of Linux on x86-64.</summary>
    public const int MaxSignal = 64;

    private const int SigKill = 9;
    private readonly GuestProcess _process;

    internal SandboxProcess(GuestProcess process)
    {
        _process = process;
        StandardInput = new GuestInputStream(process);
        StandardOutput = new GuestOutputStream(process.Output);
        StandardError = new GuestOutputStream(process.Error);
    }

    /// <summary>
    /// Write-only; disposing it is the end of input. A write throws <see cref="IOException"/> when the command reads no more (it has ended, or closed
    /// its input), and <see cref="SandboxException"/> when the microVM has ended.
    /// </summary>
    public Stream StandardInput { get; }

    /// <summary>
    /// Read-only; a read of 0 bytes is the end. Disposing it makes the command's writes fail with EPIPE. A read throws <see cref="SandboxException"/>
    /// when the microVM has ended before the stream did.
    /// </summary>
    public Stream StandardOutput { get; }

    /// <summary>As <see cref="StandardOutput"/>, for standard error.</summary>
    public Stream StandardError { get; }

    /// <summary>
    /// Waits until the command has ended and its output and error have been handed over: read both, or dispose them, else a command that writes more
    /// than 256 KiB never ends. Cancelling ends the wait, not the command.
    /// </summary>
    /// <exception cref="SandboxException">The microVM ended before the command.</exception>
    public Task<CommandExit> WaitForExitAsync(CancellationToken cancellationToken = default) => _process.Exited.WaitAsync(cancellationToken);

    /// <summary>Sends a signal to the command's process group in the guest. Without effect when it has ended.</summary>
    /// <param name="signal">1 to <see cref="MaxSignal"/>, as numbered on Linux x86-64.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is no signal.</exception>
    public void Signal(int signal)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(signal, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(signal, MaxSignal);
        _process.Signal(signal);
    }

    /// <summary>Gives the command's terminal another size; the programs in it are told (SIGWINCH). Without effect when it has ended or has no terminal.</summary>
    public void Resize(TerminalSize size) => _process.Resize(size);

    /// <summary>Kills the command if it still runs, and closes the streams. The microVM lives on.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.Exited.IsCompleted)
        {
            _process.Signal(SigKill);
        }

        await StandardInput.DisposeAsync().ConfigureAwait(false);
        await StandardOutput.DisposeAsync().ConfigureAwait(false);
        await StandardError.DisposeAsync().ConfigureAwait(false);
    }
}
