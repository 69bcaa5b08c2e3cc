// The buttons of the consoles: each copies what is typed there. Without this file there are none.
for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
        await copy(button.dataset.copy);
        button.focus();
        button.textContent = "copied";
        setTimeout(() => { button.textContent = "copy"; }, 1500);
    });
}

async function copy(text) {
    try {
        return await navigator.clipboard.writeText(text);
    } catch {
        // There is none over plain http from another computer, and in another site's frame it may be refused. What is
        // selected may be copied there all the same.
    }
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    document.execCommand("copy");
    area.remove();
}
