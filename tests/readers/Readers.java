/* SPDX-License-Identifier: MIT */
/* What the Java run-time concludes of the machine. */
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;

public class Readers {
	public static void main(String[] args) {
		Runtime runtime = Runtime.getRuntime();
		OperatingSystemMXBean os =
			(OperatingSystemMXBean)ManagementFactory.getOperatingSystemMXBean();

		say("Runtime.availableProcessors()", runtime.availableProcessors());
		say("Runtime.maxMemory()", runtime.maxMemory());
		say("OperatingSystemMXBean.getTotalMemorySize()", os.getTotalMemorySize());
		say("OperatingSystemMXBean.getSystemLoadAverage()", os.getSystemLoadAverage());
	}

	private static void say(String name, Number value) {
		System.out.println(name + " | " + value);
	}
}
