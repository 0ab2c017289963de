using Sandbox.Device.Block;
using Sandbox.Virtio.Block;

namespace Sandbox.Unit.Tests.Device;

/// <summary>Who is told of a failed synchronization: the kernel says it once, and no flush may promise what is lost.</summary>
public sealed class BlockSyncsTests
{
    private const long Nobody = -1;

    private readonly BlockSyncs _syncs = new();

    [Fact]
    public void AllSafe_OnlyWhileEveryAnsweredChangeIsOnTheMediumAndNothingIsOwed()
    {
        BlockSyncs syncs = new();
        Assert.True(syncs.IsAllSafe);
        syncs.AnswerChange(acrossFailure: false);
        Assert.False(syncs.IsAllSafe);
        syncs.Begin();
        syncs.AnswerChange(acrossFailure: false); // while it runs: it may not speak for this one
        Assert.False(syncs.End(BlockStatus.Ok, told: 1));
        Assert.False(syncs.IsAllSafe);
        syncs.Begin();
        Assert.True(syncs.End(BlockStatus.IoError, told: -1));
        Assert.False(syncs.IsAllSafe);
        syncs.Begin();
        Assert.True(syncs.End(BlockStatus.Ok, told: -1)); // on the medium, as far as the kernel says; the failure is still owed
        Assert.False(syncs.IsAllSafe);
        syncs.Begin();
        Assert.True(syncs.End(BlockStatus.Ok, told: 2));
        Assert.True(syncs.IsAllSafe);
    }

    [Fact]
    public void End_Well_FailsNobody()
    {
        _syncs.AnswerChange(acrossFailure: false);

        Assert.False(Sync(BlockStatus.Ok, told: 1));
        Assert.Equal(0, _syncs.Failures);
    }

    [Fact]
    public void End_Badly_WithAFlushThatSpeaksForAll_OwesNothing()
    {
        _syncs.AnswerChange(acrossFailure: false);

        Assert.True(Sync(BlockStatus.IoError, told: 1));
        Assert.Equal(1, _syncs.Failures);
        Assert.False(Sync(BlockStatus.Ok, told: 1));
    }

    [Fact]
    public void End_Badly_BeforeAnythingWasAnswered_OwesNothing()
    {
        Assert.True(Sync(BlockStatus.IoError, Nobody)); // and whoever waited for it is told by its status
        Assert.False(Sync(BlockStatus.Ok, told: 0));
    }

    /// <summary>The change was answered while it ran. An older flush fails as well and says nothing about it; the next one must.</summary>
    [Fact]
    public void End_Badly_WithAChangeThatNobodySpeaksFor_FailsFlushesUntilOneDoes()
    {
        _syncs.Begin();
        _syncs.AnswerChange(acrossFailure: false);
        Assert.True(_syncs.End(BlockStatus.IoError, told: 0));

        Assert.True(Sync(BlockStatus.Ok, told: 0));
        Assert.True(Sync(BlockStatus.Ok, Nobody)); // nobody is told
        Assert.True(Sync(BlockStatus.Ok, told: 1));
        Assert.False(Sync(BlockStatus.Ok, told: 1));
    }

    [Fact]
    public void End_Badly_WithAChangeInWork_FailsTheFlushAfterItsAnswer()
    {
        Assert.True(Sync(BlockStatus.IoError, told: 0));
        _syncs.AnswerChange(acrossFailure: true);

        Assert.True(Sync(BlockStatus.Ok, told: 0)); // it came before the answer
        Assert.True(Sync(BlockStatus.Ok, told: 1));
        Assert.False(Sync(BlockStatus.Ok, told: 1));
    }

    [Fact]
    public void End_Badly_ToldToNobody_StaysOwed()
    {
        _syncs.AnswerChange(acrossFailure: false);
        Assert.True(Sync(BlockStatus.IoError, Nobody));

        Assert.True(Sync(BlockStatus.Ok, Nobody));
        Assert.True(Sync(BlockStatus.Ok, told: 1));
        Assert.False(Sync(BlockStatus.Ok, told: 1));
    }

    [Fact]
    public void End_Badly_AfterAGoodOneFoundAll_OwesNothing()
    {
        _syncs.AnswerChange(acrossFailure: false);
        Assert.False(Sync(BlockStatus.Ok, told: 1));

        Assert.True(Sync(BlockStatus.IoError, Nobody));
        Assert.False(Sync(BlockStatus.Ok, told: 1));
    }

    private bool Sync(BlockStatus status, long told)
    {
        _syncs.Begin();
        return _syncs.End(status, told);
    }
}
