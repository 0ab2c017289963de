using Sandbox.Control.Agent;

namespace Sandbox.Unit.Tests.Control.Agent;

/// <summary>A hostile guest against the host's session: each test is one thing the guest may not do.</summary>
public sealed class HostSessionTests
{
    private readonly byte[] _frame = new byte[AgentLimits.MaxFrameBytes];
    private readonly HostSession _session = new();

    [Fact]
    public void Receive_WholeLife_IsInOrder()
    {
        HostCommand command = Start();
        Assert.Equal(AgentFault.None, Data(command.Id, AgentStream.Output, 10));
        Assert.Equal(AgentFault.None, Send(new EndMessage(command.Id, AgentStream.Output).Encode(_frame)));
        Assert.Equal(AgentFault.None, Send(new EndMessage(command.Id, AgentStream.Error).Encode(_frame)));
        Assert.Equal(AgentFault.None, Send(new ExitedMessage(command.Id, 7, 0).Encode(_frame)));
        Assert.Equal(HostCommandPhase.Over, command.Phase);
        Assert.True(_session.TrySend(AgentMessageType.Shutdown));
        Assert.Equal(AgentFault.None, Send(EmptyMessage.Encode(_frame, AgentMessageType.ShutdownDone)));
        Assert.Equal(AgentPhase.Ended, _session.Phase);
    }

    [Fact]
    public void Receive_AnythingBeforeHello_IsOutOfOrder() =>
        Assert.Equal(AgentFault.OutOfOrder, Send(new ReadyMessage(0, 1).Encode(_frame)));

    [Fact]
    public void Receive_HelloTwice_IsOutOfOrder()
    {
        Assert.Equal(AgentFault.None, Send(new HelloMessage(AgentLimits.Version).Encode(_frame)));
        Assert.Equal(AgentFault.OutOfOrder, Send(new HelloMessage(AgentLimits.Version).Encode(_frame)));
    }

    [Fact]
    public void Receive_ReadyBeforeConfigure_IsOutOfOrder()
    {
        Assert.Equal(AgentFault.None, Send(new HelloMessage(AgentLimits.Version).Encode(_frame)));
        Assert.Equal(AgentFault.OutOfOrder, Send(new ReadyMessage(0, 1).Encode(_frame)));
    }

    [Theory]
    [InlineData(AgentMessageType.Configure)]
    [InlineData(AgentMessageType.Exec)]
    [InlineData(AgentMessageType.Signal)]
    [InlineData(AgentMessageType.Shutdown)]
    [InlineData(AgentMessageType.ShutdownDone)]
    public void Receive_AMessageOfTheHost_IsOutOfOrder(AgentMessageType type)
    {
        Boot();
        Assert.Equal(AgentFault.OutOfOrder, Send(EmptyMessage.Encode(_frame, type)));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(uint.MaxValue)]
    public void Receive_DataOfAnUnknownCommand_IsAFault(uint id)
    {
        Start();
        Assert.Equal(AgentFault.UnknownCommand, Data(id, AgentStream.Output, 1));
    }

    [Fact]
    public void Receive_DataBeforeStarted_IsAFault()
    {
        Boot();
        HostCommand command = _session.Begin(false)!;
        Assert.Equal(AgentFault.StreamState, Data(command.Id, AgentStream.Output, 1));
    }

    [Fact]
    public void Receive_DataOnInput_IsAFault() => Assert.Equal(AgentFault.StreamState, Data(Start().Id, AgentStream.Input, 1));

    [Fact]
    public void Receive_DataAfterEnd_IsAFault()
    {
        HostCommand command = Start();
        Assert.Equal(AgentFault.None, Send(new EndMessage(command.Id, AgentStream.Output).Encode(_frame)));
        Assert.Equal(AgentFault.StreamState, Data(command.Id, AgentStream.Output, 1));
    }

    [Fact]
    public void Receive_EndTwice_IsAFault()
    {
        HostCommand command = Start();
        Assert.Equal(AgentFault.None, Send(new EndMessage(command.Id, AgentStream.Error).Encode(_frame)));
        Assert.Equal(AgentFault.StreamState, Send(new EndMessage(command.Id, AgentStream.Error).Encode(_frame)));
    }

    [Fact]
    public void Receive_ExitedBeforeTheStreamsEnd_IsAFault()
    {
        HostCommand command = Start();
        Assert.Equal(AgentFault.StreamState, Send(new ExitedMessage(command.Id, 0, 0).Encode(_frame)));
    }

    [Fact]
    public void Receive_ExitedTwice_IsAFault()
    {
        HostCommand command = Start();
        Send(new EndMessage(command.Id, AgentStream.Output).Encode(_frame));
        Send(new EndMessage(command.Id, AgentStream.Error).Encode(_frame));
        Assert.Equal(AgentFault.None, Send(new ExitedMessage(command.Id, 0, 0).Encode(_frame)));
        Assert.Equal(AgentFault.UnknownCommand, Send(new ExitedMessage(command.Id, 0, 0).Encode(_frame)));
    }

    [Fact]
    public void Receive_StartedTwice_IsAFault()
    {
        HostCommand command = Start();
        Assert.Equal(AgentFault.StreamState, Send(new StartedMessage(command.Id).Encode(_frame)));
    }

    [Fact]
    public void Receive_ExecFailedAfterStarted_IsAFault()
    {
        HostCommand command = Start();
        Assert.Equal(AgentFault.StreamState, Send(new ExecFailedMessage(command.Id, 2).Encode(_frame)));
    }

    [Fact]
    public void Receive_DataBeyondTheWindow_IsAFault()
    {
        HostCommand command = Start();
        for (int sent = 0; sent < AgentLimits.StreamWindowBytes; sent += AgentLimits.MaxDataBytes)
        {
            Assert.Equal(AgentFault.None, Data(command.Id, AgentStream.Output, AgentLimits.MaxDataBytes));
        }

        Assert.Equal(AgentFault.None, Data(command.Id, AgentStream.Error, 1));
        Assert.Equal(AgentFault.CreditOverrun, Data(command.Id, AgentStream.Output, 1));
    }

    [Fact]
    public void Receive_DataAfterCredit_IsInOrder()
    {
        HostCommand command = Start();
        uint credit = 0;
        for (int sent = 0; sent < AgentLimits.StreamWindowBytes; sent += AgentLimits.MaxDataBytes)
        {
            Assert.Equal(AgentFault.None, Data(command.Id, AgentStream.Output, AgentLimits.MaxDataBytes));
            credit += command.Consumed(AgentStream.Output, AgentLimits.MaxDataBytes);
        }

        Assert.Equal((uint)AgentLimits.StreamWindowBytes, credit);
        Assert.Equal(AgentFault.None, Data(command.Id, AgentStream.Output, AgentLimits.MaxDataBytes));
    }

    [Theory]
    [InlineData(1u)]
    [InlineData((uint)AgentLimits.StreamWindowBytes)]
    public void Receive_CreditThatWasNeverUsed_IsAFault(uint bytes) =>
        Assert.Equal(AgentFault.CreditExcess, Send(new CreditMessage(Start().Id, AgentStream.Input, bytes).Encode(_frame)));

    [Fact]
    public void Receive_CreditOnOutput_IsAFault() =>
        Assert.Equal(AgentFault.StreamState, Send(new CreditMessage(Start().Id, AgentStream.Output, 1).Encode(_frame)));

    [Fact]
    public void Receive_CreditForSentInput_OpensTheWindow()
    {
        HostCommand command = Start();
        command.Input.Sent(1000);
        Assert.Equal(AgentFault.None, Send(new CreditMessage(command.Id, AgentStream.Input, 1000).Encode(_frame)));
        Assert.Equal(AgentLimits.StreamWindowBytes, command.Input.AvailableBytes);
        Assert.Equal(AgentFault.CreditExcess, Send(new CreditMessage(command.Id, AgentStream.Input, 1).Encode(_frame)));
    }

    [Fact]
    public void Receive_EndOfInput_StopsTheHostOnce()
    {
        HostCommand command = Start();
        Assert.True(command.InputOpen);
        Assert.Equal(AgentFault.None, Send(new EndMessage(command.Id, AgentStream.Input).Encode(_frame)));
        Assert.False(command.InputOpen);
        Assert.Equal(AgentFault.StreamState, Send(new EndMessage(command.Id, AgentStream.Input).Encode(_frame)));
    }

    [Fact]
    public void Begin_BeyondTheLimit_GivesNothing()
    {
        Boot();
        for (int count = 0; count < AgentLimits.MaxLiveCommands; count++)
        {
            Assert.NotNull(_session.Begin(false));
        }

        Assert.Null(_session.Begin(false));
        Assert.Equal(AgentFault.None, Send(new ExecFailedMessage(1, 2).Encode(_frame)));
        Assert.Equal((uint)AgentLimits.MaxLiveCommands + 1, _session.Begin(false)!.Id);
    }

    [Fact]
    public void Receive_RandomGuest_NeverThrows()
    {
        Random random = new(7);
        for (int life = 0; life < 300; life++)
        {
            HostSession session = new();
            Boot(session);
            for (int count = 0; count < 4; count++)
            {
                session.Begin(true);
            }

            AgentFault fault = AgentFault.None;
            while (fault == AgentFault.None)
            {
                int length = RandomMessage(random);
                fault = session.Receive(new AgentFrame((AgentMessageType)_frame[4], _frame.AsSpan(AgentLimits.HeaderBytes, length - AgentLimits.HeaderBytes)), out _);
            }
        }
    }

    private int RandomMessage(Random random)
    {
        uint id = (uint)random.Next(0, 6);
        AgentStream stream = (AgentStream)random.Next(0, 4);
        return random.Next(9) switch
        {
            0 => new StartedMessage(id).Encode(_frame),
            1 => new ExecFailedMessage(id, random.Next(0, 5000)).Encode(_frame),
            2 => new EndMessage(id, stream).Encode(_frame),
            3 => new CreditMessage(id, stream, (uint)random.Next(0, 300_000)).Encode(_frame),
            4 => new ExitedMessage(id, random.Next(-1, 257), random.Next(0, 66)).Encode(_frame),
            _ => new DataMessage(id, (AgentStream)random.Next(1, 3), new byte[random.Next(1, AgentLimits.MaxDataBytes + 1)]).Encode(_frame),
        };
    }

    private HostCommand Start()
    {
        Boot();
        HostCommand command = _session.Begin(true)!;
        Assert.Equal(AgentFault.None, Send(new StartedMessage(command.Id).Encode(_frame)));
        return command;
    }

    private void Boot() => Boot(_session);

    private void Boot(HostSession session)
    {
        Assert.Equal(AgentFault.None, Send(new HelloMessage(AgentLimits.Version).Encode(_frame), session));
        Assert.True(session.TrySend(AgentMessageType.Configure));
        Assert.Equal(AgentFault.None, Send(new ReadyMessage(1, 2).Encode(_frame), session));
    }

    private AgentFault Data(uint id, AgentStream stream, int bytes) => Send(new DataMessage(id, stream, new byte[bytes]).Encode(_frame));

    private AgentFault Send(int frameBytes, HostSession? session = null) =>
        (session ?? _session).Receive(
            new AgentFrame((AgentMessageType)_frame[4], _frame.AsSpan(AgentLimits.HeaderBytes, frameBytes - AgentLimits.HeaderBytes)),
            out _);
}
