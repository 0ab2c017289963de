using Sandbox.Launch;

namespace Sandbox.Unit.Tests.Library;

public sealed class NetworkPlanTests
{
    [Fact]
    public void NameServers_OfTheHost_AreThoseAGuestCanReach()
    {
        const string File = """
            # a comment
            nameserver 127.0.0.53
            nameserver 192.0.2.1
            nameserver	192.0.2.2 # another
            nameserver 2001:db8::1
            nameserver 0.0.0.0
            options edns0
            nameserver 192.0.2.3
            nameserver 192.0.2.4
            """;
        Assert.Equal([0xC0000201u, 0xC0000202u, 0xC0000203u], HostResolver.Read(File));
    }

    [Fact]
    public void Passt_NeverOpensTheHostsLoopback()
    {
        List<string> arguments = Passt.Arguments(new NetworkOptions { Ports = [new(8080, 80), new(53, 5353, "0.0.0.0")] }, user: null);
        Assert.Contains("--no-map-gw", arguments);
        Assert.Contains("127.0.0.1/8080:80", arguments);
        Assert.Contains("0.0.0.0/53:5353", arguments);
    }

    [Fact]
    public void MacAddress_OfEachGuest_IsLocalAndItsOwn()
    {
        HashSet<ulong> seen = [];
        for (int round = 0; round < 100; round++)
        {
            using NetworkLink link = NetworkLink.Open(new NetworkOptions());
            Assert.Equal(2ul, (link.MacAddress >> 40) & 3); // locally administered, and not a group's
            Assert.True(seen.Add(link.MacAddress));
        }
    }

    [Theory]
    [InlineData("1.2.3.4", true)]
    [InlineData("1.2.3", false)]
    [InlineData("1.2.3.4.5", false)]
    [InlineData("0x1.2.3.4", false)]
    [InlineData("1.2.3.+4", false)]
    [InlineData(" 1.2.3.4", false)]
    [InlineData("1.2.3.256", false)]
    [InlineData("", false)]
    public void AddressText_IsFourNumbers(string text, bool expected) => Assert.Equal(expected, AddressText.TryParse(text, out _));
}
