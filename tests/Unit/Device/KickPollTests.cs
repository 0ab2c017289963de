using Sandbox.Device;
using Sandbox.Memory;
using Sandbox.Testing;
using Sandbox.Virtio;

namespace Sandbox.Unit.Tests.Device;

/// <summary>The look for a next request before the device sleeps: it finds what comes, and is not repeated where it finds nothing.</summary>
public sealed class KickPollTests : IDisposable
{
    private readonly TestGuest _guest = new();
    private readonly DeviceQueue[] _queues = [new(), new()];
    private readonly DriverQueue[] _drivers;

    public KickPollTests()
    {
        _drivers = [new DriverQueue(_guest, 16), new DriverQueue(_guest, 16)];
        for (int queue = 0; queue < _queues.Length; queue++)
        {
            Assert.Equal(VirtqueueFault.None, _queues[queue].Ring.Configure(_guest.Memory, _drivers[queue].Layout, VirtioFeatureBits.Version1, 0));
        }
    }

    public void Dispose() => _guest.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Await_WhereAnyRingHasAChain_SaysSo(int queue)
    {
        Post(queue);

        Assert.True(Begun(rounds: 1).Await(_queues));
    }

    [Fact]
    public void Await_WithoutRounds_NeverLooks()
    {
        Post(0);

        Assert.False(Begun(rounds: 0).Await(_queues));
    }

    [Fact]
    public void Await_InVain_LooksAgainOnlyAfterMoreAndMoreSleeps()
    {
        KickPoll poll = Begun(rounds: 1);
        Find(poll);
        foreach (int sleeps in (int[])[1, 3, 7, 15, 31, 63, 127, 255, 255])
        {
            Assert.False(poll.Await(_queues)); // looks, in vain
            Post(0);
            for (int sleep = 0; sleep < sleeps; sleep++)
            {
                Assert.False(poll.Await(_queues)); // does not look: a chain is there
            }

            Take(0);
        }
    }

    [Fact]
    public void Await_AfterOneThatFoundSomething_LooksAtOnceAgain()
    {
        KickPoll poll = Begun(rounds: 1);
        Post(0);
        Assert.True(poll.Await(_queues));
        Assert.True(poll.Await(_queues));
        Take(0);

        Assert.False(poll.Await(_queues));
        Post(0);
        Assert.False(poll.Await(_queues)); // one sleep, as after the first look in vain
        Assert.True(poll.Await(_queues));
    }

    [Fact]
    public void Measured_OnAnyProcessor_LooksAndComesBack()
    {
        KickPoll poll = Sleep(KickPoll.Measured(_queues));
        Assert.False(poll.Await(_queues));
        Find(Sleep(poll, 127));
        Post(0);
        Assert.True(poll.Await(_queues));
    }

    [Fact]
    public void Await_OfADeviceThatBegins_DoesNotLookFor63Sleeps()
    {
        KickPoll poll = new(rounds: 1);
        Post(0);
        for (int sleep = 0; sleep < 63; sleep++)
        {
            Assert.False(poll.Await(_queues));
        }

        Assert.True(poll.Await(_queues));
    }

    // One that may look at its next call.
    private KickPoll Begun(int rounds) => Sleep(new KickPoll(rounds));

    private KickPoll Sleep(KickPoll poll, int sleeps = 63)
    {
        for (int sleep = 0; sleep < sleeps; sleep++)
        {
            Assert.False(poll.Await(_queues));
        }

        return poll;
    }

    private void Find(KickPoll poll)
    {
        Post(0);
        Assert.True(poll.Await(_queues));
        Take(0);
    }

    private void Post(int queue) => _drivers[queue].Add([new DriverBuffer(_guest.Allocate(16), 16, false)]);

    private void Take(int queue)
    {
        DescriptorChain chain = new();
        Assert.True(_queues[queue].Ring.TryPop(chain));
        _queues[queue].Ring.Complete(chain.HeadIndex, 0);
        Assert.True(_drivers[queue].TryTakeUsed(out _, out _));
    }
}
