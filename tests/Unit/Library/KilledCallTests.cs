using Sandbox.Runtime;

namespace Sandbox.Unit.Tests.Library;

public sealed class KilledCallTests
{
    private const string Record =
        "5,811,90000000,-;audit: type=1326 audit(1764000000.123:77): auid=4294967295 uid=7 gid=7 ses=4294967295 subj=kernel pid=4242 comm=\"sandbox-device\" exe=\"/sandbox-device\" sig=31 arch=c000003e syscall=41 compat=0 ip=0x7f0 code=0x80000000\n";

    [Fact]
    public void Parse_RecordOfTheProcess_NamesTheCall() => Assert.Equal(41, KilledCall.Parse(Record, 4242, startedNanoseconds: 89_000_000_000));

    [Theory]
    [InlineData(424, 89_000_000_000)] // another process
    [InlineData(4242, 99_000_000_000)] // one that had the number before
    public void Parse_RecordOfAnother_SaysNothing(int pid, long startedNanoseconds) => Assert.Null(KilledCall.Parse(Record, pid, startedNanoseconds));

    [Theory]
    [InlineData("")]
    [InlineData("6,1,2")]
    [InlineData("6,1,90000000,-;type=1326 pid=4242 x")]
    [InlineData("6,1,90000000,-;type=1326  pid=4242  syscall=x")]
    [InlineData("6,1,90000000,-;something else")]
    public void Parse_SomethingElse_SaysNothing(string record) => Assert.Null(KilledCall.Parse(record, 4242, startedNanoseconds: 89_000_000_000));

    [Theory]
    [InlineData(0, "read")]
    [InlineData(41, "socket")]
    [InlineData(9999, "number 9999")]
    public void Name_OfASystemCall_IsThatOfTheHeaders(int number, string name) => Assert.Equal(name, SyscallName.Of(number));
}
