using Sandbox.VhostUser;

namespace Sandbox.Unit.Tests.VhostUser;

public sealed class BackendSessionFuzzTests
{
    private static readonly uint[] EdgeValues =
        [0, 1, 2, 3, 7, 8, 15, 16, 255, 256, 257, 4095, 4096, 0x7000_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_F000, 0xFFFF_FFFF];

    /// <summary>
    /// Messages of a hostile frontend, made of good beginnings and edge values: nothing throws, nothing allocates, a running ring always
    /// resolves, and fds are kept only by a message that was taken.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Accept_AnyMessages_NeitherThrowsNorAllocatesNorLosesAnFd(int seed)
    {
        Assert.InRange(Allocations.Least(() => RunRounds(seed)), 0, 4096); // the runner itself may take a little
    }

    private static long RunRounds(int seed)
    {
        Random random = new(seed);
        byte[] payload = new byte[VhostUserLimits.MaxPayloadBytes];
        long allocated = 0;
        for (int round = 0; round < 2000; round++)
        {
            BackendDouble backend = new();
            if (random.Next(4) != 0)
            {
                backend.Agree();
                backend.Describe(0);
                backend.Describe(1);
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int message = 0; message < 30; message++)
            {
                Send(backend.Session, random, payload);
            }

            allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }

        return allocated;
    }

    private static void Send(BackendSession session, Random random, byte[] payload)
    {
        FrontendRequest request = (FrontendRequest)random.Next(0, 34);
        RequestRule rule = RequestRules.Of(request);
        int size = random.Next(8) == 0 ? random.Next(payload.Length + 1) : (int)rule.MinPayloadBytes;
        for (int offset = 0; offset + 4 <= size; offset += 4)
        {
            BitConverter.TryWriteBytes(payload.AsSpan(offset), EdgeValues[random.Next(EdgeValues.Length)]);
        }

        int fdCount = rule.Fds == FdRule.None ? random.Next(16) / 15 : random.Next(3);
        BackendAction action = session.Accept(new MessageHeader(request, MessageFlags.Version1, (uint)size), payload.AsSpan(0, size), fdCount);
        if (action.Fault != VhostUserFault.None)
        {
            RequireClosed(action);
        }

        for (int queue = 0; queue < session.QueueCount; queue++)
        {
            if (session.IsRunning(queue))
            {
                _ = session.GetRing(queue); // throws when the ring does not resolve
            }
        }
    }

    private static void RequireClosed(in BackendAction action)
    {
        if (action.Kind != BackendActionKind.EndSession || action.Fds != FdDisposition.Close || action.Ring != RingChange.None)
        {
            throw new InvalidOperationException($"a refused {action.Request} asked for more than closing its fds");
        }
    }
}
