using Sandbox.Agent;
using Sandbox.Control.Agent;

namespace Sandbox.Unit.Tests.Library;

public sealed class AgentClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Command_RunToItsEnd_GivesOutputErrorAndCode()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            guest.SendData(AgentStream.Output, "out"u8);
            guest.SendData(AgentStream.Error, "err"u8);
            guest.Exit(7);
            Assert.Equal("out", await new StreamReader(process.StandardOutput).ReadToEndAsync());
            Assert.Equal("err", await new StreamReader(process.StandardError).ReadToEndAsync());
            Assert.Equal(new CommandExit(7, 0), await process.WaitForExitAsync().WaitAsync(Patience));
        }
    }

    [Theory]
    [InlineData(2, SandboxErrorKind.CommandNotFound)]
    [InlineData(13, SandboxErrorKind.CommandNotExecutable)]
    [InlineData(8, SandboxErrorKind.CommandNotExecutable)]
    public async Task Command_ThatCannotBeExecuted_IsToldByItsKind(int errno, SandboxErrorKind kind)
    {
        using FakeGuest guest = await FakeGuest.ReadyAsync();
        Task<GuestProcess> exec = guest.Client.ExecAsync(new ExecOptions { Command = ["nosuch"] }, [], CancellationToken.None);
        guest.Expect(AgentMessageType.Exec);
        guest.Send(new ExecFailedMessage(1, errno).Encode);
        SandboxException failure = await Assert.ThrowsAsync<SandboxException>(() => exec.WaitAsync(Patience));
        Assert.Equal(kind, failure.Kind);
        Assert.Contains("nosuch", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_BeyondTheWindow_WaitsForCredit()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            Task write = process.StandardInput.WriteAsync(new byte[AgentLimits.StreamWindowBytes + 1]).AsTask();
            int received = 0;
            while (received < AgentLimits.StreamWindowBytes)
            {
                guest.Expect(AgentMessageType.Data, frame =>
                {
                    Assert.Equal(AgentFault.None, DataMessage.Decode(frame.Body, out DataMessage data));
                    received += data.Bytes.Length;
                });
            }

            Assert.Equal(AgentLimits.StreamWindowBytes, received);
            Assert.False(guest.HasSomethingToRead());
            Assert.False(write.IsCompleted);
            guest.Send(new CreditMessage(1, AgentStream.Input, 100).Encode);
            guest.Expect(AgentMessageType.Data, frame => Assert.Equal(9, frame.Body.Length)); // id, stream, the one byte
            await write.WaitAsync(Patience);
            await process.StandardInput.DisposeAsync();
            guest.Expect(AgentMessageType.End);
        }
    }

    [Fact]
    public async Task Output_OnlyGivesCreditForWhatWasRead()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            byte[] piece = new byte[AgentLimits.MaxDataBytes];
            for (int sent = 0; sent < AgentLimits.StreamWindowBytes; sent += piece.Length)
            {
                guest.SendData(AgentStream.Output, piece);
            }

            Assert.False(guest.HasSomethingToRead());
            await process.StandardOutput.ReadExactlyAsync(new byte[StreamReceiveWindow.CreditLumpBytes]).AsTask().WaitAsync(Patience);
            guest.Expect(AgentMessageType.Credit, frame =>
            {
                Assert.Equal(AgentFault.None, CreditMessage.Decode(frame.Body, out CreditMessage credit));
                Assert.Equal(AgentStream.Output, credit.Stream);
                Assert.Equal((uint)StreamReceiveWindow.CreditLumpBytes, credit.Bytes);
            });
        }
    }

    [Fact]
    public async Task Output_ThatNobodyReads_DoesNotStopError()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            byte[] piece = new byte[AgentLimits.MaxDataBytes];
            for (int sent = 0; sent < AgentLimits.StreamWindowBytes; sent += piece.Length)
            {
                guest.SendData(AgentStream.Output, piece);
            }

            guest.SendData(AgentStream.Error, "x"u8);
            Assert.Equal(1, await process.StandardError.ReadAsync(new byte[10]).AsTask().WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task Output_BeyondTheWindow_EndsTheConnection()
    {
        (FakeGuest guest, SandboxProcess _) = await FakeGuest.RunningAsync();
        using (guest)
        {
            byte[] piece = new byte[AgentLimits.MaxDataBytes];
            for (int sent = 0; sent <= AgentLimits.StreamWindowBytes; sent += piece.Length)
            {
                guest.SendData(AgentStream.Output, piece);
            }

            SandboxException reason = await guest.Client.Ended.WaitAsync(Patience);
            Assert.Equal(SandboxErrorKind.GuestFailed, reason.Kind);
        }
    }

    [Fact]
    public async Task DisposedOutput_TellsTheGuestAndSwallowsTheRest()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            await process.StandardOutput.DisposeAsync();
            guest.Expect(AgentMessageType.End);
            guest.SendData(AgentStream.Output, new byte[AgentLimits.MaxDataBytes]);
            guest.Exit(0);
            Assert.Equal(0, (await process.WaitForExitAsync().WaitAsync(Patience)).ShellCode);
        }
    }

    [Fact]
    public async Task Signal_IsSentOnlyWhileTheCommandRuns()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            process.Signal(15);
            guest.Expect(AgentMessageType.Signal);
            guest.Send(new EndMessage(1, AgentStream.Output).Encode);
            guest.Send(new EndMessage(1, AgentStream.Error).Encode);
            guest.Send(new ExitedMessage(1, 0, 15).Encode);
            Assert.Equal(143, (await process.WaitForExitAsync().WaitAsync(Patience)).ShellCode);
            process.Signal(9);
            Assert.False(guest.HasSomethingToRead());
            Assert.Throws<ArgumentOutOfRangeException>(() => process.Signal(0));
            Assert.Throws<ArgumentOutOfRangeException>(() => process.Signal(65));
        }
    }

    [Fact]
    public async Task WriteToACommandThatHasEnded_Fails()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            guest.Exit(0);
            await process.WaitForExitAsync().WaitAsync(Patience);
            await Assert.ThrowsAsync<IOException>(() => process.StandardInput.WriteAsync(new byte[1]).AsTask());
        }
    }

    [Fact]
    public async Task BootFailure_NamesTheRoot()
    {
        using FakeGuest guest = new();
        guest.Send(new HelloMessage(AgentLimits.Version).Encode);
        guest.Expect(AgentMessageType.Configure);
        guest.Send(frame =>
        {
            Assert.Equal(AgentFault.None, new FailedMessage(BootStage.RootFileSystem, 22, "mount /dev/vda\u001b[31m").Encode(frame, out int bytes));
            return bytes;
        });
        SandboxException reason = await guest.Client.Ended.WaitAsync(Patience);
        Assert.Equal(SandboxErrorKind.DiskRejected, reason.Kind);
        Assert.DoesNotContain('\u001b', reason.Message);
    }

    [Fact]
    public async Task ConnectionLost_EveryWaiterHearsTheOwnersReason()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        Task<int> read = process.StandardOutput.ReadAsync(new byte[1]).AsTask();
        Task<CommandExit> exit = process.WaitForExitAsync();
        guest.Client.Fail(new SandboxException(SandboxErrorKind.HostFailure, "the reason"));
        Assert.Equal("the reason", (await Assert.ThrowsAsync<SandboxException>(() => read.WaitAsync(Patience))).Message);
        Assert.Equal("the reason", (await Assert.ThrowsAsync<SandboxException>(() => exit.WaitAsync(Patience))).Message);
        await Assert.ThrowsAsync<SandboxException>(() => guest.Client.ExecAsync(new ExecOptions { Command = ["x"] }, [], CancellationToken.None));
        guest.Dispose();
    }

    [Fact]
    public async Task Input_ToAGuestThatReadsNothing_WaitsWithItsBytes()
    {
        (FakeGuest guest, SandboxProcess process) = await FakeGuest.RunningAsync();
        using (guest)
        {
            Task write = process.StandardInput.WriteAsync(new byte[10 * 1024 * 1024]).AsTask();
            Assert.NotSame(write, await Task.WhenAny(write, Task.Delay(100)));
            Assert.False(guest.Client.Ended.IsCompleted);
        }
    }

    /// <summary>That they wait is the application's doing, which began them all at once.</summary>
    [Fact]
    public async Task ManyLargeCommands_ThatTheGuestHasNotReadYet_AreNoFaultOfTheGuests()
    {
        using FakeGuest guest = await FakeGuest.ReadyAsync();
        GuestProcess first = guest.Client.Begin(LargeCommand, []);
        for (int count = 1; count < AgentLimits.MaxLiveCommands; count++)
        {
            guest.Client.Begin(LargeCommand, []);
        }

        guest.Send(new StartedMessage(1).Encode);
        await first.Started.WaitAsync(Patience);
        for (int count = 0; count < AgentLimits.MaxLiveCommands; count++)
        {
            guest.Expect(AgentMessageType.Exec);
        }
    }

    [Fact]
    public async Task ManyLargeCommands_ThatTheGuestRefusesUnread_EndTheConnection()
    {
        using FakeGuest guest = await FakeGuest.ReadyAsync();
        uint id = 0;
        while (!guest.Client.Ended.IsCompleted)
        {
            id++;
            Assert.True(id < 100, "what waits for the guest grows without end");
            GuestProcess process = guest.Client.Begin(LargeCommand, []);
            guest.Send(new ExecFailedMessage(id, 2).Encode);
            await Task.WhenAny(process.Started, guest.Client.Ended).WaitAsync(Patience);
        }

        SandboxException reason = await guest.Client.Ended;
        Assert.Equal("the guest's agent reads nothing any more", reason.Message);
    }

    private static ExecOptions LargeCommand => new() { Command = [new string('a', AgentLimits.MaxListBytes - 100)] };
}
