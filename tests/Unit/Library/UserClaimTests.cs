using Sandbox.Launch;

namespace Sandbox.Unit.Tests.Library;

public sealed class UserClaimTests
{
    [Fact]
    public void TryTake_NumberInUse_IsRefusedUntilItIsGivenBack()
    {
        using UserClaim first = UserClaim.Take();
        Assert.InRange(first.Number, UserClaim.FirstUser, UserClaim.FirstUser + UserClaim.UserCount - 1);
        Assert.Null(UserClaim.TryTake(first.Number));
        first.Dispose();
        using UserClaim? again = UserClaim.TryTake(first.Number);
        Assert.NotNull(again);
    }

    [Fact]
    public void Take_ManyTimes_GivesEachNumberOnce()
    {
        List<UserClaim> claims = [];
        for (int count = 0; count < 200; count++)
        {
            claims.Add(UserClaim.Take());
        }

        Assert.Equal(200, claims.Select(claim => claim.Number).Distinct().Count());
        claims.ForEach(claim => claim.Dispose());
    }
}
