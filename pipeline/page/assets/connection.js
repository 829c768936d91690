// What the page does while its server or the database behind it fails: it says so, and since when, until it works again.
//
// A request that reads is held and sent again, by Retry or by itself every half minute: the table then goes on where it
// was. An act is never sent again, since it may have been carried out: a notice says that it was not, or may not have.
(function () {
    const AGAIN_AFTER = 30000;
    const send = window.fetch.bind(window);
    let since = null;
    let waiting = [];

    function banner() {
        let found = document.getElementById('unreachable');
        if (!found) {
            found = document.createElement('div');
            found.id = 'unreachable';
            found.setAttribute('role', 'alert');
            const words = document.createElement('span');
            const retry = document.createElement('button');
            retry.type = 'button';
            retry.textContent = 'Retry';
            retry.addEventListener('click', again);
            found.append(words, retry);
            document.body.append(found);
        }
        return found;
    }

    function lost(why) {
        since = since || new Date();
        const time = since.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'});
        banner().firstChild.textContent = `The alerts cannot be read since ${time}: ${why} What is shown may be old.`;
        document.body.classList.add('unreachable');
    }

    function works() {
        if (since) {
            since = null;
            banner().remove();
            document.body.classList.remove('unreachable');
            again();
        }
    }

    function again() {
        const held = waiting;
        waiting = [];
        held.forEach(resume => resume());
    }

    function held() {
        return new Promise(resume => {
            waiting.push(resume);
            setTimeout(() => {
                waiting = waiting.filter(other => other !== resume);
                resume();
            }, AGAIN_AFTER);
        });
    }

    // The answer of the callback behind the buttons, as Dash expects it: a notice and no other change.
    function notice(message) {
        const shown = [{action: 'show', message, color: 'red', autoClose: 20000}];
        const body = {multi: true, response: {notices: {sendNotifications: shown}}};
        return new Response(JSON.stringify(body), {status: 200, headers: {'Content-Type': 'application/json'}});
    }

    async function attempt(address, options) {
        let response;
        try {
            response = await send(address, options);
        } catch (error) {
            return {why: 'the server does not answer.', isUnsure: true};
        }
        if (response.status < 500) {
            return {response};
        }
        const said = (await response.text()).trim().slice(0, 500);
        const isOurs = (response.headers.get('Content-Type') || '').startsWith('text/plain');
        return {why: isOurs && said ? said.replace(/[.]?$/, '.') : 'the server fails.', isUnsure: response.status !== 503};
    }

    window.fetch = async function (address, options) {
        const isCallback = String(address.url || address).includes('_dash-update-component');
        if (!isCallback || !options || typeof options.body !== 'string') {
            return send(address, options);
        }
        const isAct = String(JSON.parse(options.body).output).includes('notices.sendNotifications');
        for (;;) {
            const {response, why, isUnsure} = await attempt(address, options);
            if (response) {
                works();
                return response;
            }
            lost(why);
            if (isAct) {
                return notice(
                    isUnsure
                        ? `This may not have been carried out: ${why} Look at the alert before you do it again.`
                        : `Nothing was changed: ${why}`
                );
            }
            await held();
        }
    };
})();
