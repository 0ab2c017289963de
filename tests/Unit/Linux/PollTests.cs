using System.Runtime.InteropServices;
using Sandbox.Linux;
using Xunit;

namespace Sandbox.Unit.Tests.Linux;

/// <summary>poll(2) where a signal comes in between, as the runtime's own do.</summary>
public sealed class PollTests
{
    private const int SignalWindowChanged = 28; // SIGWINCH

    [Fact]
    public void Wait_SignalComesWhileItWaits_WaitsOn()
    {
        using PosixSignalRegistration handled = PosixSignalRegistration.Create((PosixSignal)SignalWindowChanged, static context => context.Cancel = true);
        (FdHandle reader, FdHandle writer) = Pipe.Create();
        using (reader)
        using (writer)
        {
            int thread = 0;
            int ready = int.MinValue;
            PollEvents found = PollEvents.None;
            Thread waiting = new(() =>
            {
                Marshal.SetLastPInvokeError(0); // what failed last on this thread says nothing about the next call
                Volatile.Write(ref thread, gettid());
                ready = Poll.Wait(reader.Number, PollEvents.Readable, Poll.Forever, out found);
            });
            waiting.Start();
            while (Volatile.Read(ref thread) == 0)
            {
                Thread.Sleep(1);
            }

            for (int signals = 0; signals < 50; signals++)
            {
                Assert.Equal(0, tgkill(Environment.ProcessId, thread, SignalWindowChanged));
                Thread.Sleep(2);
            }

            Assert.Equal(0, FdIo.WriteAll(writer.Number, [1]));
            Assert.True(waiting.Join(TimeSpan.FromSeconds(30)));
            Assert.Equal((1, PollEvents.Readable), (ready, found));
        }
    }

    [DllImport("libc")]
    private static extern int gettid();

    [DllImport("libc")]
    private static extern int tgkill(int process, int thread, int signal);
}
