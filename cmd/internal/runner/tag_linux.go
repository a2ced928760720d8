package runner

import (
	"bytes"
	"crypto/rand"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tag is a random text in the environment of a process. What the process starts inherits it, and keeps it in a session or a
// group of its own and when its parent is gone: so it is found again.
//
// These are not found: a process whose environment was cleared (sudo, env -i; `env -u SHARD_PROCESS` is the way to leave one
// running on purpose), that wrote its title over it (redis-server, nginx), or that this user may not inspect (setuid programs,
// ssh-agent). Being the reaper of all orphans would find them too, but not tell which run of several they belong to, nor whether
// another package of this process started them. A cgroup would, where one may be made, and there nobody could leave one running.
type tag string

// tagVariable holds the tag. A worker that was itself started by a run appends its own, so that both runs find the process.
const tagVariable = "SHARD_PROCESS"

// tagPatience is how long what was killed may take to end. The kernel may be busy with a disk, or with much memory.
const tagPatience = 5 * time.Second

func newTag() tag { return tag(rand.Text()) }

// env is the variable for the process.
func (t tag) env() []string {
	value := string(t)
	if outer := os.Getenv(tagVariable); outer != "" {
		value = outer + "/" + value
	}
	return []string{tagVariable + "=" + value}
}

// kill ends all processes that carry the tag and returns when they have ended. One look can miss a process whose parent ended
// meanwhile, so it looks until it has found nothing twice in a row.
func (t tag) kill() {
	if !canKillByTag() {
		return
	}
	hunt := newTagHunt(t)
	for clean := 0; clean < 2 && time.Now().Before(hunt.deadline); clean++ {
		if hunt.round() {
			clean = -1
		}
	}
}

// canKillByTag says that /proc numbers processes as this process does, and that the kernel (5.3) and a sandbox allow handles of
// processes: a number alone could be a stranger's by the time it is used.
func canKillByTag() bool {
	pid := os.Getpid()
	if self, err := os.Readlink("/proc/self"); err != nil || self != strconv.Itoa(pid) {
		return false
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

// tagHunt is a search for the processes with a tag.
type tagHunt struct {
	tag      []byte
	buf      []byte
	deadline time.Time
	// strangers are the numbers of processes that do not have it. They stay strangers, which makes all rounds but the first cheap.
	strangers map[string]bool
}

func newTagHunt(t tag) *tagHunt {
	return &tagHunt{tag: []byte(t), buf: make([]byte, 32<<10), deadline: time.Now().Add(tagPatience), strangers: map[string]bool{}}
}

// sighting is what a look at a process says.
type sighting int

const (
	isStranger sighting = iota
	isTagged
	// isUnclear is a process in the middle of execve: its old environment is gone, its new one not there yet.
	isUnclear
)

// round looks at all processes once, kills those with the tag and waits for their ends. It says whether another round is needed.
func (h *tagHunt) round() (again bool) {
	proc, err := os.Open("/proc")
	if err != nil {
		return false
	}
	defer proc.Close()
	names, _ := proc.Readdirnames(-1) // what was read until an error counts
	var killed []int
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || h.strangers[name] {
			continue
		}
		switch h.look(name) {
		case isStranger:
			h.strangers[name] = true
			continue
		case isTagged:
			if fd, ok := h.killOne(pid); ok {
				killed = append(killed, fd)
			}
		}
		again = true
	}
	for _, fd := range killed {
		h.awaitEnd(fd)
		unix.Close(fd)
	}
	if again && len(killed) == 0 {
		time.Sleep(time.Millisecond) // an execve goes on
	}
	return again
}

// killOne kills the process if it still is the one with the tag: the handle is opened first, so that what is read then is the
// environment of the handle's process, or that process is dead. The caller closes the handle.
func (h *tagHunt) killOne(pid int) (fd int, ok bool) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return 0, false
	}
	if h.look(strconv.Itoa(pid)) != isTagged || unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) != nil {
		unix.Close(fd)
		return 0, false
	}
	return fd, true
}

// awaitEnd returns when the process has ended, its files and ports are closed, or the patience is over.
func (h *tagHunt) awaitEnd(fd int) {
	for {
		left := time.Until(h.deadline).Milliseconds()
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(max(left, 0)))
		if n > 0 || left <= 0 || err != nil && err != unix.EINTR {
			return
		}
	}
}

// look says what the process is. One that may not be inspected, or has ended, is a stranger.
func (h *tagHunt) look(pid string) sighting {
	fd, err := unix.Open("/proc/"+pid+"/environ", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return isStranger
	}
	defer unix.Close(fd)
	kept, empty := 0, true
	for {
		n, err := unix.Read(fd, h.buf[kept:])
		if err != nil {
			return isStranger
		}
		if n == 0 {
			break
		}
		empty = false
		text := h.buf[:kept+n]
		if bytes.Contains(text, h.tag) {
			return isTagged
		}
		kept = copy(h.buf, text[max(len(text)-len(h.tag)+1, 0):]) // the tag may be cut here
	}
	if empty && inExecve(pid) {
		return isUnclear
	}
	return isStranger
}

// inExecve says of a process whose environment was read as empty that it has one by now, or may get one: execve makes the memory
// first, fills in the environment, and sets startcode last. Threads of the kernel and zombies have no memory.
func inExecve(pid string) bool {
	const vsize, startCode, envStart, envEnd = 23 - 3, 26 - 3, 50 - 3, 51 - 3 // proc_pid_stat(5), from the field after the name
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return len(fields) > envEnd && fields[vsize] != "0" && (fields[startCode] == "0" || fields[envStart] != fields[envEnd])
}
