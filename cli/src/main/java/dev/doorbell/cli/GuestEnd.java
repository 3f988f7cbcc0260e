package dev.doorbell.cli;

import dev.doorbell.linux.kvm.VcpuExit;
import java.util.stream.Collectors;

/// Why a guest ended, as people are told.
final class GuestEnd {
  private GuestEnd() {}

  /// {@return what follows "the guest ended: "}
  static String told(VcpuExit end) {
    return switch (end) {
      case VcpuExit.SystemEvent(VcpuExit.SystemEvent.Kind kind) ->
          switch (kind) {
            case SHUTDOWN -> "it switched itself off";
            case RESET -> "it restarted itself, and a restart is not there; start it again";
            case CRASH -> "it crashed";
            case OTHER -> "it asked KVM for something that is neither an end nor a restart";
          };
      case VcpuExit.Stopped() -> "it was stopped from outside";
      case VcpuExit.Mmio(long address, int bytes, boolean write, long _) ->
          "nobody has the %s at 0x%x that it %s"
              .formatted(counted(bytes), address, write ? "wrote" : "read");
      case VcpuExit.Io(int port, int bytes, boolean write, int _, long _) ->
          "nobody has the %s at port 0x%x that it %s"
              .formatted(counted(bytes), port, write ? "wrote" : "read");
      case VcpuExit.NoSyndrome(long address) ->
          "it accessed 0x%x, where no memory is, by an instruction that the processor does not describe (a pair, say)"
              .formatted(address);
      case VcpuExit.Hlt() -> "its processor halted, and nothing would wake it";
      case VcpuExit.Shutdown() -> "its processor cannot go on (a fault within a fault)";
      case VcpuExit.FailEntry(long reason) ->
          "its processor refuses the state that it was given (reason 0x%x)".formatted(reason);
      case VcpuExit.KvmInternalError(int suberror, var data) ->
          "KVM cannot go on (KVM_EXIT_INTERNAL_ERROR, suberror %d%s)"
              .formatted(
                  suberror,
                  data.stream().map(d -> ", 0x%x".formatted(d)).collect(Collectors.joining()));
      case VcpuExit.Other(int reason) -> "KVM came back with the exit reason %d".formatted(reason);
    };
  }

  private static String counted(int bytes) {
    return bytes == 1 ? "byte" : bytes + " bytes";
  }
}
