using System.Runtime.Versioning;
using Sandbox.Control.Agent;

namespace Sandbox.Unit.Tests.Init;

/// <summary>Commands of the real agent that have a terminal.</summary>
[SupportedOSPlatform("linux")]
public sealed class TerminalTests : IDisposable
{
    private readonly AgentDouble _agent = new();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void Command_WithATerminal_ControlsItAndSeesItsSize()
    {
        CommandRecord command = Run("tty >/dev/null && echo is one; stty size; ps -o tty= -p $$ | grep -c pts; echo err >&2; echo </dev/tty >/dev/null & exit 7");
        _agent.WaitFor(command);
        Assert.Equal(["is one", "33 101", "1", "err"], command.OutputText.Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(command.ErrorText);
        Assert.Equal(7, command.Exited.ExitCode);
    }

    [Fact]
    public void Keys_GoThroughTheTerminal_InterruptAmongThem()
    {
        CommandRecord command = Run("trap 'echo interrupted' INT; read line; echo \"got $line\"; sh -c \"echo ready; exec cat\"; read line; echo \"then $line\"");
        _agent.SendInput(command, "one\n"u8);
        _agent.Pump(() => command.OutputText.Contains("ready", StringComparison.Ordinal));
        _agent.SendInput(command, "\u0003"u8); // ends cat
        _agent.Pump(() => command.OutputText.Contains("interrupted", StringComparison.Ordinal));
        _agent.SendInput(command, "two\n"u8);
        _agent.WaitFor(command);
        Assert.Contains("got one\r\n", command.OutputText, StringComparison.Ordinal);
        Assert.Contains("then two\r\n", command.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public void Size_WhenItChanges_IsToldToTheCommand()
    {
        CommandRecord command = Run("trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.05; done");
        _agent.Pump(() => command.OutputText.Contains("ready", StringComparison.Ordinal));
        _agent.Resize(command, new AgentTerminal(40, 120));
        _agent.WaitFor(command);
        Assert.Contains("40 120", command.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public void Output_OfMegabytes_IsWhole()
    {
        CommandRecord command = Run("head -c 1500000 /dev/zero | tr '\\0' x");
        _agent.WaitFor(command);
        Assert.Equal(1_500_000, command.Output.Length);
        Assert.True(command.Output.ToArray().AsSpan().IndexOfAnyExcept((byte)'x') < 0);
    }

    [Fact]
    public void BackgroundProcess_OnTheTerminal_DoesNotHoldTheEnd()
    {
        CommandRecord command = Run("trap '' HUP; sleep 600 & echo done");
        _agent.WaitFor(command);
        Assert.Equal("done\r\n", command.OutputText);
    }

    [Fact]
    public void Program_ThatDoesNotExist_IsReported()
    {
        CommandRecord command = _agent.Exec(["/no/such/program"], terminal: new AgentTerminal(1, 1));
        _agent.WaitFor(command);
        Assert.Equal(2, command.ExecErrno);
    }

    private CommandRecord Run(string script) => _agent.Exec(["/bin/sh", "-c", script], wantInput: true, terminal: new AgentTerminal(33, 101));
}
