using Sandbox.Cli.Text;

namespace Sandbox.Cli.Run;

/// <summary>The options of `sandbox run` about the network, gathered and made into one.</summary>
internal sealed class NetworkArguments
{
    private const string TapPrefix = "tap=";
    private const string QueuesMark = ",queues=";

    private readonly List<PortForward> _ports = [];
    private readonly List<string> _nameServers = [];
    private NetworkKind? _kind;
    private string? _tapName;
    private string? _address;
    private string? _gateway;
    private long? _bytesPerSecond;
    private int? _queuePairs;

    /// <summary>False: the option is none of these.</summary>
    public bool TrySet(string option, string value)
    {
        switch (option)
        {
            case "--net":
                SetKind(value);
                return true;
            case "-p" or "--publish":
                _ports.Add(PortText.Parse(option, value));
                return true;
            case "--net-rate":
                _bytesPerSecond = SizeText.Parse(option, value);
                return true;
            case "--ip":
                _address = value;
                return true;
            case "--gateway":
                _gateway = value;
                return true;
            case "--dns":
                _nameServers.Add(value);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Null: no network.</summary>
    public NetworkOptions? Make()
    {
        if (_kind is { } kind)
        {
            return new NetworkOptions
            {
                Kind = kind,
                TapName = _tapName,
                Ports = _ports,
                Address = _address,
                Gateway = _gateway,
                NameServers = _nameServers,
                BytesPerSecond = _bytesPerSecond ?? 0,
                QueuePairCount = _queuePairs ?? 1,
            };
        }

        bool needless = _ports.Count > 0 || _nameServers.Count > 0 || _address is not null || _gateway is not null || _bytesPerSecond is not null || _queuePairs is not null;
        return needless ? throw Invalid("an option of the network is given, but no network; add --net user or --net tap=NAME") : null;
    }

    private void SetKind(string value)
    {
        int mark = value.IndexOf(QueuesMark, StringComparison.Ordinal);
        _queuePairs = mark < 0 ? null : CountText.Parse("--net queues=", value[(mark + QueuesMark.Length)..]);
        value = mark < 0 ? value : value[..mark];
        bool tap = value.StartsWith(TapPrefix, StringComparison.Ordinal);
        _tapName = tap ? value[TapPrefix.Length..] : null;
        _kind = tap ? NetworkKind.Tap : value switch
        {
            "none" => null,
            "user" => NetworkKind.User,
            _ => throw Invalid($"--net \"{value}\" is not valid; give none, user or tap=NAME, the last two with ,queues=N if you like"),
        };
    }

    private static SandboxException Invalid(string message) => new(SandboxErrorKind.InvalidOption, message);
}
