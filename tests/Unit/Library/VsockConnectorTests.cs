using System.Net.Sockets;
using Sandbox.Control.Launch;
using Sandbox.Labels;
using Sandbox.Linux;
using Sandbox.Runtime;

namespace Sandbox.Unit.Tests.Library;

/// <summary>The launcher's side of a vsock port's further connections, with a real program's listener; the test is the device process.</summary>
public sealed class VsockConnectorTests : IDisposable
{
    private const long Start = 1_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("sandbox-vsock-").FullName;
    private readonly FdHandle _control;
    private readonly FdHandle _device;
    private readonly VsockConnector _connector;

    public VsockConnectorTests()
    {
        (_control, _device) = UnixSocket.CreatePair();
        Assert.Equal(0, FdIo.SetNonBlocking(_device.Number, true));
        _connector = new VsockConnector(["", Path, System.IO.Path.Combine(_folder, "nobody")], SandboxSecurity.None);
    }

    private string Path => System.IO.Path.Combine(_folder, "program");

    public void Dispose()
    {
        _control.Dispose();
        _device.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Question_OfAPortWithAProgram_IsAnsweredWithASocketThatDoesNotBlock()
    {
        using Socket program = Listen(8);
        for (int round = 0; round < 3; round++)
        {
            using FdHandle socket = Ask(1)!;
            using Socket accepted = program.Accept();
            Assert.Equal(-(int)Errno.EAGAIN, FdIo.Read(socket.Number, new byte[1]));
            Assert.Equal(2, FdIo.Write(socket.Number, "hi"u8));
            byte[] got = new byte[4];
            Assert.Equal(2, accepted.Receive(got));
        }
    }

    [Fact]
    public void Question_WhoseProgramIsGone_IsRefusedAndAnsweredAgainWhenItIsBack()
    {
        Assert.Null(Ask(1)); // no such file
        using (Socket program = Listen(8))
        {
            Ask(1)!.Dispose();
            StopListening(program);
        }

        Assert.Null(Ask(1)); // a file that nobody listens on
        Assert.Null(Ask(2));
        File.Delete(Path);
        using Socket other = Listen(8);
        Ask(1)!.Dispose();
    }

    [Fact]
    public void Question_WhoseProgramAcceptsNothing_IsRefusedAndNotWaitedFor()
    {
        using Socket program = Listen(1);
        List<FdHandle> waiting = [];
        while (waiting.Count < 10 && Ask(1) is { } socket)
        {
            waiting.Add(socket);
        }

        Assert.InRange(waiting.Count, 1, 3); // as many as its backlog takes
        program.Accept().Dispose();
        using (FdHandle next = Ask(1)!)
        {
            Assert.NotNull(next);
        }

        waiting.ForEach(static socket => socket.Dispose());
    }

    [Fact]
    public void Question_WhoseProgramAcceptsALittleLater_IsAnsweredWithASocket()
    {
        using Socket program = Listen(1);
        while (Ask(1) is { } waiting)
        {
            waiting.Dispose(); // its backlog is full
        }

        Assert.Equal(LaunchFault.None, _connector.Ask(1, _control.Number));
        long now = Start + 1000;
        Assert.Equal(VsockConnector.MillisecondsEach, _connector.Answer(_control.Number, now));
        Assert.Equal(VsockConnector.MillisecondsEach - 1, _connector.Answer(_control.Number, now + 1)); // woken for something else
        program.Accept().Dispose();
        Assert.Equal(-1, _connector.Answer(_control.Number, now + VsockConnector.MillisecondsEach));
        using FdHandle? socket = TakeAnswer(1);
        Assert.NotNull(socket);
    }

    [Theory]
    [InlineData(0)] // the agent's
    [InlineData(3)]
    [InlineData(LaunchLimits.MaxVsockPorts - 1)]
    public void Question_OfAnotherPort_IsAFault(int port)
    {
        Assert.Equal(LaunchFault.OutOfRange, _connector.Ask(port, _control.Number));
        Assert.Equal(-1, _connector.Answer(_control.Number, Start));
        Assert.Equal(-(int)Errno.EAGAIN, FdIo.Read(_device.Number, new byte[1]));
    }

    [Fact]
    public void Question_BeforeTheAnswerToTheLast_IsAFault()
    {
        Assert.Equal(LaunchFault.None, _connector.Ask(2, _control.Number));
        Assert.Equal(LaunchFault.OutOfRange, _connector.Ask(2, _control.Number));
    }

    [Fact]
    public void Questions_WhoseAnswersNobodyTakes_AreAFaultInTheEnd()
    {
        using Socket program = Listen(4096);
        int asked = 0;
        while (_connector.Ask(1, _control.Number) == LaunchFault.None)
        {
            Assert.Equal(-1, _connector.Answer(_control.Number, Start + (asked * 1000L)));
            asked++;
            Assert.True(asked < 500, "it never minds");
        }

        Assert.InRange(asked, 2, 300);
    }

    [Fact]
    public void Questions_FasterThanTheRate_AreAnsweredLaterAndNeverRefused()
    {
        using Socket program = Listen(4096);
        long now = Start;
        int answered = 0;
        while (now < Start + 2000)
        {
            Assert.Equal(LaunchFault.None, _connector.Ask(1, _control.Number));
            for (int wait = _connector.Answer(_control.Number, now); wait >= 0; wait = _connector.Answer(_control.Number, now))
            {
                Assert.InRange(wait, 1, VsockConnector.MillisecondsEach);
                Assert.Equal(-(int)Errno.EAGAIN, FdIo.Read(_device.Number, new byte[1]));
                now += wait;
            }

            TakeAnswer(1)!.Dispose();
            program.Accept().Dispose();
            answered++;
            Assert.True(answered > VsockConnector.Burst || now == Start, "the first ones go at once");
        }

        Assert.InRange(answered, VsockConnector.Burst + 399, VsockConnector.Burst + 401);
    }

    [Fact]
    public async Task Watch_OfADeviceThatAsks_AnswersByItself()
    {
        const int questions = 100; // more than go at once
        using Socket program = Listen(4096);
        using ProcessWatch watch = StartWatch(_connector);
        await Task.Run(() =>
        {
            for (int question = 0; question < questions; question++)
            {
                Say(new VsockConnect(1));
                Await();
                TakeAnswer(1)!.Dispose();
                program.Accept().Dispose();
            }

            StopListening(program);
            Say(new VsockConnect(1));
            Await();
            Assert.Null(TakeAnswer(1));
        });
        Assert.False(watch.FirstEnd.IsCompleted);
        Say(new VsockConnect(0));
        await EndedAsync(watch);
        Assert.Equal(LaunchFault.OutOfRange, watch.Processes[0].Fault);
    }

    [Fact]
    public async Task Watch_OfAnotherProcessThatAsks_EndsTheMicroVm()
    {
        using ProcessWatch watch = StartWatch(connector: null);
        Say(new VsockConnect(1));
        await EndedAsync(watch);
        Assert.Equal(LaunchFault.WrongType, watch.Processes[0].Fault);
    }

    private static async Task EndedAsync(ProcessWatch watch)
    {
        await watch.FirstEnd;
        watch.Kill();
        await watch.AllEnded;
    }

    // A process that says nothing and waits for its end; the test says what it does not.
    private ProcessWatch StartWatch(VsockConnector? connector)
    {
        (FdHandle errors, FdHandle errorsWriter) = Pipe.Create();
        (FdHandle console, FdHandle consoleWriter) = Pipe.Create();
        using FdHandle nothing = FileOpen.ReadWrite("/dev/null");
        using FdHandle shell = FileOpen.Read("/bin/sleep");
        using (errorsWriter)
        using (consoleWriter)
        {
            ChildProcess child = Spawner.Spawn(new SpawnSpec { Executable = shell, Arguments = ["sleep", "1000"], Fds = [new(0, nothing), new(1, nothing), new(2, errorsWriter)] });
            WatchedProcess process = new("vsock", child, FdIo.Duplicate(_control.Number), errors, static _ => { }) { Connector = connector };
            ProcessWatch watch = new([process], revival: null, console, consoleReceived: null);
            watch.Start();
            return watch;
        }
    }

    private void Say(VsockConnect question)
    {
        byte[] frame = new byte[VsockConnect.FrameBytes];
        _ = question.Encode(frame);
        Assert.Equal(frame.Length, UnixSocket.Send(_device.Number, frame, []));
    }

    private void Await() => Assert.Equal(1, Poll.Wait(_device.Number, PollEvents.Readable, 20_000, out _));

    private FdHandle? Ask(int port)
    {
        Assert.Equal(LaunchFault.None, _connector.Ask(port, _control.Number));
        long now = Start;
        for (int wait; (wait = _connector.Answer(_control.Number, now)) >= 0; now += wait)
        {
            Assert.InRange(now, Start, Start + (VsockConnector.MostTries * VsockConnector.MillisecondsEach)); // it does not try for ever
        }

        return TakeAnswer(port);
    }

    private FdHandle? TakeAnswer(int port)
    {
        byte[] frame = new byte[VsockAnswer.FrameBytes];
        int[] fds = new int[1];
        Assert.Equal(frame.Length, UnixSocket.Receive(_device.Number, frame, fds, out int count));
        Assert.Equal(LaunchFault.None, VsockAnswer.DecodeFrame(frame, out VsockAnswer answer));
        Assert.Equal((port, answer.Connected ? 1 : 0), (answer.Port, count));
        return answer.Connected ? new FdHandle(fds[0]) : null;
    }

    // Not by closing it: a process that another test is starting has a copy until its exec.
    private static void StopListening(Socket program) => Assert.Equal(0, UnixSocket.Shutdown((int)program.Handle));

    private Socket Listen(int backlog)
    {
        Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path));
        listener.Listen(backlog);
        return listener;
    }
}
