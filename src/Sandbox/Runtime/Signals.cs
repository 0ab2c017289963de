namespace Sandbox.Runtime;

/// <summary>Signal numbers of Linux on x86-64 (signal(7)) that the library sends or tells apart.</summary>
internal static class Signals
{
    public const int Abort = 6;
    public const int Kill = 9;
    public const int Segmentation = 11;
    public const int BadSystemCall = 31;

    public static string NameOf(int signal) => signal switch
    {
        Abort => "SIGABRT",
        Kill => "SIGKILL",
        Segmentation => "SIGSEGV",
        BadSystemCall => "SIGSYS",
        _ => $"signal {signal}",
    };
}
