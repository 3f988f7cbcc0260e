package dev.doorbell.qemu;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.Firing;
import java.util.ArrayList;
import java.util.List;

/// An NVM Express controller, driven as by a driver in user space: a completion queue for every vector, and commands of no command set, whose
/// completions interrupt. The admin queue has vector 0.
///
/// It works while the machine's clock stands still. Its queues lie in memory that the caller has mapped for it.
///
/// **Source**: NVM Express Base Specification 2.0c, 3.5.1 (initialization), 5.4, 5.5 (queues).
public final class NvmeStimulus implements Stimulus {
  private final DeviceRegisters registers;
  private final DmaArea data;
  private final List<NvmeQueue> queues = new ArrayList<>();

  private NvmeStimulus(DeviceRegisters registers, DmaArea memory) {
    this.registers = registers;
    data = memory.slice(0, NvmeQueue.PAGE);
  }

  /// {@return bytes of memory that a controller with so many vectors needs}
  public static long memoryBytes(int vectors) {
    return NvmeQueue.PAGE * (1 + 2L * vectors);
  }

  /// Starts the controller. Its function must have its vectors enabled already, as a driver does it.
  ///
  /// @param bar0 its registers
  /// @param memory of {@link #memoryBytes}, page aligned on both sides
  /// @param vectors 1 for the admin queue, and one for each I/O queue
  /// @throws DeviceStuck when the controller does not come up, or refuses a queue
  public static NvmeStimulus open(String device, RegisterBus bar0, DmaArea memory, int vectors) {
    NvmeStimulus s = new NvmeStimulus(new DeviceRegisters(device, bar0), memory);
    s.start(memory.slice(NvmeQueue.PAGE, 2 * NvmeQueue.PAGE));
    for (int v = 1; v < vectors; v++) {
      s.addQueue(v, memory.slice(NvmeQueue.PAGE * (1 + 2L * v), 2 * NvmeQueue.PAGE));
    }
    return s;
  }

  private void start(DmaArea memory) {
    registers.write(NvmeLayout.CC, 0);
    registers.await(NvmeLayout.CSTS, NvmeLayout.RDY, 0);
    NvmeQueue admin = new NvmeQueue(registers, 0, memory);
    registers.write(
        NvmeLayout.AQA,
        NvmeLayout.ASQS.place(NvmeQueue.ENTRIES - 1)
            | NvmeLayout.ACQS.place(NvmeQueue.ENTRIES - 1));
    registers.write(NvmeLayout.ASQ, NvmeLayout.BASE.place(admin.submissionsAt()));
    registers.write(NvmeLayout.ACQ, NvmeLayout.BASE.place(admin.completionsAt()));
    // Entries of 2^6 and 2^4 bytes, pages of 2^12: 0 stands for that.
    registers.write(
        NvmeLayout.CC,
        NvmeLayout.EN.place(1) | NvmeLayout.IOSQES.place(6) | NvmeLayout.IOCQES.place(4));
    registers.await(NvmeLayout.CSTS, NvmeLayout.RDY, 1);
    queues.add(admin);
  }

  private void addQueue(int vector, DmaArea memory) {
    NvmeQueue q = new NvmeQueue(registers, vector, memory);
    long size = NvmeLayout.QID.place(vector) | NvmeLayout.QSIZE.place(NvmeQueue.ENTRIES - 1);
    admin(
        new NvmeCommand(
            NvmeLayout.CREATE_COMPLETION_QUEUE,
            q.completionsAt(),
            size,
            NvmeLayout.CQ_PC.place(1) | NvmeLayout.IEN.place(1) | NvmeLayout.IV.place(vector)));
    admin(
        new NvmeCommand(
            NvmeLayout.CREATE_SUBMISSION_QUEUE,
            q.submissionsAt(),
            size,
            NvmeLayout.SQ_PC.place(1) | NvmeLayout.CQID.place(vector)));
    queues.add(q);
  }

  private void admin(NvmeCommand command) {
    NvmeQueue.Done done = queues.getFirst().run(command);
    if (!done.succeeded()) {
      throw new DeviceStuck(
          registers.device(),
          "admin command 0x%02x to succeed".formatted(command.opcode()),
          "its status is type %d, code 0x%02x".formatted(done.statusType(), done.status()));
    }
  }

  @Override
  public int vectors() {
    return queues.size();
  }

  @Override
  public Firing raise(int vector) {
    // Refused as an invalid opcode or, by an I/O queue, as being of no namespace: either completion
    // interrupts.
    var unused = queues.get(vector).run(new NvmeCommand(NvmeLayout.NO_COMMAND, 0, 0, 0));
    return Firing.UNTOLD;
  }

  /// Has the controller write what it says of itself into memory, which shows that its DMA arrives.
  ///
  /// {@return the 4096 bytes of Identify Controller, good until the next call}
  public DmaArea identify() {
    identify(data);
    return data;
  }

  /// The same into memory of the caller's.
  ///
  /// @param page 4096 bytes
  public void identify(DmaArea page) {
    page.clear();
    admin(new NvmeCommand(NvmeLayout.IDENTIFY, page.iova().value(), 1, 0));
  }

  /// Gives resources of a primary controller to a secondary one (a VF's), or brings it online.
  ///
  /// @param action 8 assigns, 9 brings online
  /// @param resource 0 for queues, 1 for interrupts
  /// @param controller CNTLID of the secondary one
  /// @param count how many
  public void virtualize(int action, int resource, int controller, int count) {
    admin(
        new NvmeCommand(
            NvmeLayout.VIRTUALIZATION_MANAGEMENT,
            0,
            NvmeLayout.ACT.place(action)
                | NvmeLayout.RT.place(resource)
                | NvmeLayout.CNTLID.place(controller),
            count));
  }
}
